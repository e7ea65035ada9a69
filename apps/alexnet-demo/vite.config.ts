import { defineConfig } from "vite";

/** Shared memory, and so threads, is given to pages that are isolated from others. */
export const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  base: "./", // from any folder of any server
  resolve: { conditions: ["@nn/source", "browser", "module"] },
  // Layers are named by their classes.
  worker: { format: "es", rolldownOptions: { output: { keepNames: true } } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 1000 },
  server: { headers: isolation },
  preview: { headers: isolation },
});
