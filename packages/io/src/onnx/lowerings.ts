/** What each op is in ONNX. Ops without an entry are taken apart by their own decomposition. */
import { elementwise } from "./lower-elementwise.ts";
import { images } from "./lower-images.ts";
import { indexing } from "./lower-indexing.ts";
import { movement } from "./lower-movement.ts";
import { products } from "./lower-products.ts";
import { recurrence } from "./lower-recurrent.ts";
import { reductions } from "./lower-reduce.ts";
import type { Lowering } from "./lowering.ts";

export const lowerings: Readonly<Record<string, Lowering>> = { ...elementwise, ...movement, ...products, ...images, ...reductions, ...indexing, ...recurrence };
