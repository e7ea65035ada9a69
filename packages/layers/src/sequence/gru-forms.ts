/** GRUs as their papers write them: the reset gate acts on the state before the product, `n = tanh(W_in·x + b_in + U_n·(r∘h) + b_hn)`. */
import { linear, stack, zeros, type Tensor } from "@nn/tensor";
import type { DirectionInputs, GRUForm } from "../recurrent.ts";
import { lengthMask } from "./lengths.ts";

/** `h' = (1 − z)·n + z·h` (Cho 2014, "Learning Phrase Representations using RNN Encoder–Decoder…"). */
export const cho: GRUForm = { name: "cho", direction: resetBefore((h, n, z) => n.add(z.mul(h.sub(n)))) };

/** `h' = (1 − z)·h + z·n`: the update gate weighs the new state (Bahdanau 2014, "Neural Machine Translation by Jointly Learning to Align and Translate"). */
export const bahdanau: GRUForm = { name: "bahdanau", direction: resetBefore((h, n, z) => h.add(z.mul(n.sub(h)))) };

/** The state's product waits for the reset gate, so a step has two, and there is no kernel for the sequence: a loop of ops. */
function resetBefore(mix: (h: Tensor, n: Tensor, z: Tensor) => Tensor): GRUForm["direction"] {
  return ({ x, weightIh, weightHh, biasIh, biasHh, h0, lengths }: DirectionInputs, reverse: boolean) => {
    const [steps, batch, hidden] = [x.shape[0]!, x.shape[1]!, weightHh.shape[1]!];
    const gates = (t: Tensor, dim: number): Tensor => t.slice(dim, 0, 2 * hidden); // r and z
    const candidate = (t: Tensor, dim: number): Tensor => t.slice(dim, 2 * hidden);
    const none = zeros([batch, hidden], { dtype: weightHh.dtype }) as Tensor;
    const fromX = linear(x, weightIh, { bias: biasIh ?? null }); // [T,B,3H]
    const real = lengths && lengthMask(lengths, steps); // [B,T]
    let h = h0 ?? none;
    const y = new Array<Tensor>(steps);
    for (let step = 0; step < steps; step++) {
      const t = reverse ? steps - 1 - step : step;
      const now = fromX.at(t); // [B,3H]
      const [r, z] = gates(now, 1).add(linear(h, gates(weightHh, 0), { bias: biasHh ? gates(biasHh, 0) : null })).sigmoid().split(hidden, 1) as [Tensor, Tensor];
      const n = candidate(now, 1).add(linear(r.mul(h), candidate(weightHh, 0), { bias: biasHh ? candidate(biasHh, 0) : null })).tanh();
      const next = mix(h, n, z);
      const alive = real?.slice(1, t, t + 1); // [B,1]
      y[t] = alive ? alive.where(next, none) : next;
      h = alive ? alive.where(next, h) : next;
    }
    return { y: steps > 0 ? stack(y) : none.expand([0, batch, hidden]), h };
  };
}
