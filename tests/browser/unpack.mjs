/** Unpacks the browser of @sparticuz/chromium into the folder given: `npm run unpack -- FOLDER`. */

import { execFileSync } from "node:child_process";
import { chmodSync, createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const source = join(import.meta.dirname, "node_modules", "@sparticuz", "chromium", "bin");
const target = process.argv[2];

mkdirSync(target, { recursive: true });
for (const name of readdirSync(source)) {
  const unpacked = join(target, name.replace(/\.br$/, ""));
  await pipeline(createReadStream(join(source, name)), createBrotliDecompress(), createWriteStream(unpacked));
  if (unpacked.endsWith(".tar")) {
    execFileSync("tar", ["-xf", unpacked, "-C", target]);
    rmSync(unpacked);
  }
}
chmodSync(join(target, "chromium"), 0o755);
