/** Builds the script for the pages of other shops: one classic script that leaves no name behind. */

import { join } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist/storefront",
    modulePreload: false,
    rolldownOptions: {
      input: join(import.meta.dirname, "storefront", "cartback.ts"),
      output: { format: "iife", entryFileNames: "cartback.js" },
    },
  },
});
