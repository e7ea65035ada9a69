import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { findChromium } from "./tooling/scripts/chromium.mjs";

// The conformance suite in headless Chromium: with cross-origin isolation (shared memory, threads) and without.
const chromium = findChromium();
if (!chromium.path) {
  console.log(`browser tests skipped: ${chromium.why}`);
  process.exit(0);
}

const pages = [
  { name: "chromium-isolated", headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } },
  { name: "chromium-plain", headers: {} },
];

export default defineConfig({
  test: {
    reporters: ["default", "./tooling/scripts/suite-reporter.ts"],
    projects: pages.map(({ name, headers }) => ({
      root: "tooling/conformance",
      resolve: { conditions: ["@nn/source", "browser", "module"] },
      server: { headers },
      test: {
        name,
        include: ["test/**/*.browser.test.ts"],
        testTimeout: 120_000,
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({
            launchOptions: {
              executablePath: chromium.path,
              args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            },
          }),
          instances: [{ browser: "chromium" as const, name }],
        },
      },
    })),
  },
});
