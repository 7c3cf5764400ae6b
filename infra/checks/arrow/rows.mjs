// rows.mjs MODULES FILE: the rows of an Arrow IPC file as npm's apache-arrow reads them, a line of JSON each, columns in order. Integers and times
// (microseconds since 1970, UTC) as decimal text, binary as hexadecimal, numbers as JavaScript writes them.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, file] = process.argv.slice(2);
const { tableFromIPC, Type } = createRequire(modules + "/")("apache-arrow");
const table = tableFromIPC(readFileSync(file));

function cell(vector, row) {
  const value = vector.get(row);
  if (value === null) return null;
  switch (vector.type.typeId) {
    case Type.Timestamp: return raw(vector, row).toString(); // get() would round to milliseconds
    case Type.Binary: return Buffer.from(value).toString("hex");
    case Type.Int: case Type.Float: return value.toString();
    default: return value;
  }
}

function raw(vector, row) {
  for (const chunk of vector.data) {
    if (row < chunk.length) return chunk.values[row];
    row -= chunk.length;
  }
}

for (let row = 0; row < table.numRows; row++)
  console.log(JSON.stringify(Object.fromEntries(table.schema.fields.map((field, c) => [field.name, cell(table.getChildAt(c), row)]))));
