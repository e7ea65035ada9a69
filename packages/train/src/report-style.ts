/** Style sheet of the report: follows the reader's light or dark setting. */
export const style = `
:root { color-scheme: light dark; --ink: light-dark(#1d2733, #e4e9ef); --dim: light-dark(#667382, #93a0ae); --line: light-dark(#dde3ea, #323c47);
  --back: light-dark(#f6f8fa, #14191f); --card: light-dark(#fff, #1c232b); --good: light-dark(#1a7f4b, #4cc38a); --bad: light-dark(#c4314b, #ff8095); --accent: light-dark(#2f6fde, #7aa7ff); }
* { box-sizing: border-box; } body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); }
main { max-width: 980px; margin: 0 auto; padding: 20px 14px 60px; } h1 { margin: 0; font-size: 26px; } h2 { margin: 0 0 6px; font-size: 18px; }
header p { margin: 4px 0; color: var(--dim); } header .figures { color: var(--ink); } .figures b { font-size: 26px; color: var(--good); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin-top: 16px; } .note { color: var(--dim); margin: 0 0 10px; font-size: 13px; }
.charts { display: flex; flex-wrap: wrap; gap: 12px; } svg { flex: 1 1 320px; max-width: 100%; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 10px; } figure { margin: 0; text-align: center; font-size: 11px; line-height: 1.3; }
figure img { width: 76px; height: 76px; image-rendering: pixelated; border-radius: 6px; border: 3px solid var(--good); } .wrong img { border-color: var(--bad); } .wrong figcaption { color: var(--bad); } s { color: var(--dim); text-decoration: none; }
.filters { display: flex; flex-wrap: wrap; gap: 6px; } .filter { width: 42px; height: 42px; image-rendering: pixelated; border-radius: 4px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; } th { text-align: left; font-weight: 500; padding: 2px 10px 2px 0; white-space: nowrap; } td { padding: 2px 8px; }
.confusion td { text-align: center; min-width: 40px; padding: 6px 4px; border: 1px solid var(--line); } .hit { background: color-mix(in srgb, var(--good) calc(var(--share) * 75%), transparent); } .miss { background: color-mix(in srgb, var(--bad) calc(var(--share) * 250%), transparent); }
.column { height: 84px; vertical-align: bottom; padding: 0; } .column span { writing-mode: vertical-rl; transform: rotate(200deg); padding: 4px; }
.strip { flex: none; fill: var(--accent); } .bars { width: 100%; } .bars td { white-space: nowrap; } .meter { width: 100%; } .meter i { display: block; height: 12px; border-radius: 6px; background: var(--accent); }
`;
