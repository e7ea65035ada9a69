// One flat configuration for the whole repository. Rules that need types are left to the compiler: this runs in seconds.
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/node_modules/**", "**/dist/**", "**/build/**", "**/*.gen.ts", "**/coverage/**", "out/**", ".pnpm-tool/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: ["error", "smart"],
      "no-console": "off",
      "prefer-const": ["error", { destructuring: "all" }],
      "max-lines": ["error", { max: 450 }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_", ignoreRestSiblings: true }],
      "@typescript-eslint/no-unused-expressions": ["error", { allowShortCircuit: true, allowTernary: true }],
      "@typescript-eslint/no-non-null-assertion": "off", // `shape[i]!` after a rank check is everywhere under noUncheckedIndexedAccess
    },
  },
  {
    // What runs in a page must not reach for Node; Node code lives in node.ts, *.node.ts or a folder node/ (the bundle test proves the rest).
    files: ["packages/*/src/**/*.ts"],
    ignores: ["packages/native/**", "**/node.ts", "**/*.node.ts", "packages/*/src/node/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ group: ["node:*"], message: "main entries run in a page: move this to src/node.ts, a *.node.ts file or src/node/" }] }],
    },
  },
  {
    // The methods of Tensor are declared as an interface beside the class of the same name.
    files: ["packages/tensor/src/tensor.ts"],
    rules: { "@typescript-eslint/no-unsafe-declaration-merging": "off" },
  },
);
