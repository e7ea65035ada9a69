import { readdirSync, existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

// One project per folder that has tests, so that the report names the package and prints its time.
const suites = ["packages", "apps", "tooling"].flatMap((top) =>
  existsSync(top) ? readdirSync(top).filter((name) => existsSync(`${top}/${name}/test`)).map((name) => ({ root: `${top}/${name}`, name })) : [],
);

// *.release.test.ts hold what takes too long for every day: `pnpm test:release`.
const release = process.env.NN_RELEASE === "1";

const conditions = ["@nn/source"];

export default defineConfig({
  test: {
    reporters: ["default", "./tooling/scripts/suite-reporter.ts"],
    maxWorkers: 2,
    projects: suites.map(({ root, name }) => ({
      root,
      resolve: { conditions: [...conditions, "node"] },
      ssr: { resolve: { conditions: [...conditions, "node"], externalConditions: [...conditions, "node"] } },
      test: {
        name,
        include: release ? ["test/**/*.release.test.ts"] : ["test/**/*.test.ts"],
        exclude: ["**/*.browser.test.ts", "**/node_modules/**", ...(release ? [] : ["**/*.release.test.ts"])],
        pool: "forks" as const,
        // Workers and child processes of a test resolve @nn/* to sources too.
        execArgv: conditions.map((c) => `--conditions=${c}`),
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
