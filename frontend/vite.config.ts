/** Builds one page per folder that has a main.ts: dist/<page>/<page>.js and .css, names that the server can rely on. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const root = import.meta.dirname;
const pages = readdirSync(root).filter((name) => existsSync(join(root, name, "main.ts")));

export default defineConfig({
  base: "/assets/",
  publicDir: false,
  build: {
    target: "es2022",
    // Older ones lack only hyphens and the like; their prefixes and stand-ins would weigh on everybody.
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    manifest: "manifest.json",
    modulePreload: false,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, join(root, page, "main.ts")])),
      output: {
        entryFileNames: "[name]/[name].js",
        chunkFileNames: "shared/[name]-[hash].js",
        assetFileNames: ({ names }) => {
          const page = names[0]?.replace(/\.css$/, "") ?? "";
          return pages.includes(page) ? `${page}/${page}.css` : "shared/[name]-[hash][extname]";
        },
      },
    },
  },
});
