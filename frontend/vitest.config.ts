/** Unit tests stand beside their module and run in happy-dom. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "happy-dom", include: ["**/*.test.ts"], exclude: ["node_modules", "dist"] },
});
