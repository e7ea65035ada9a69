// A writer for the few ONNX messages that the workloads need (onnx.proto3: field numbers in comments' order there).
const FLOAT = 1;

function varint(n) {
  const bytes = [];
  for (let v = BigInt(n); ; v >>= 7n) {
    if (v < 128n) return Buffer.from([...bytes, Number(v)]);
    bytes.push(Number(v & 127n) | 128);
  }
}
const number = (field, n) => Buffer.concat([varint(field << 3), varint(n)]);
const bytes = (field, data) => Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
const text = (field, s) => bytes(field, Buffer.from(s));
const message = (...fields) => Buffer.concat(fields);

/** A float as an attribute. */
export const float = (value) => ({ float: value });

/** AttributeProto: a float, an integer or a list of integers. */
function attribute(name, value) {
  if (value.float !== undefined) {
    const number32 = Buffer.alloc(5, (2 << 3) | 5);
    number32.writeFloatLE(value.float, 1);
    return message(text(1, name), number32, number(20, 1));
  }
  const list = Array.isArray(value);
  return message(text(1, name), ...(list ? value.map((v) => number(8, v)) : [number(3, value)]), number(20, list ? 7 : 2));
}

/** NodeProto */
export const node = (op, inputs, output, attributes = {}) =>
  message(...inputs.map((i) => text(1, i)), text(2, output), text(4, op), ...Object.entries(attributes).map(([k, v]) => bytes(5, attribute(k, v))));

/** TensorProto of floats. */
export const constant = (name, dims, data) =>
  message(...dims.map((d) => number(1, d)), number(2, FLOAT), text(8, name), bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)));

/** ValueInfoProto of a float tensor. */
const value = (name, dims) => message(text(1, name), bytes(2, bytes(1, message(number(1, FLOAT), bytes(2, message(...dims.map((d) => bytes(1, number(1, d)))))))));

/** ModelProto, operator set 13. `inputs` are [name, dims]; the result is "y". */
export function model({ nodes, constants = [], inputs, outputRank }) {
  const output = message(text(1, "y"), bytes(2, bytes(1, message(number(1, FLOAT), bytes(2, message(...Array.from({ length: outputRank }, (_, i) => bytes(1, text(2, `d${i}`)))))))));
  const graph = message(
    ...nodes.map((n) => bytes(1, n)), text(2, "workload"), ...constants.map((c) => bytes(5, c)),
    ...inputs.map(([name, dims]) => bytes(11, value(name, dims))), bytes(12, output),
  );
  return message(number(1, 8), bytes(7, graph), bytes(8, number(2, 13)));
}
