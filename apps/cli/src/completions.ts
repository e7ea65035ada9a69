/** Shell completions of commands, options and recipe names. */
import type { Command } from "commander";
import { usage } from "./errors.ts";
import { recipes } from "./recipes.ts";

export function completions(shell: string, program: Command): string {
  const commands = program.commands.map((c) => c.name());
  const flags = [...new Set(program.commands.flatMap((c) => c.options.map((o) => o.long)).filter((l) => l !== undefined && l !== null))];
  const words = [...commands, ...flags, ...recipes.keys()].join(" ");
  switch (shell) {
    case "bash":
      return `complete -o default -W "${words}" nn\n`;
    case "zsh":
      return `#compdef nn\n_nn() { compadd -- ${words}; _files; }\ncompdef _nn nn\n`;
    case "fish":
      return `${commands.map((c) => `complete -c nn -n __fish_use_subcommand -a ${c}`).join("\n")}\n${flags.map((f) => `complete -c nn -l ${f.slice(2)}`).join("\n")}\n`;
    default:
      throw usage(`unknown shell '${shell}'`, "bash, zsh or fish");
  }
}
