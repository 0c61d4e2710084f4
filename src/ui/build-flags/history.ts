/** How many builds are remembered: `SLIPWAY_HISTORY`, 50 unless it is a number. */
export function historyOf(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env['SLIPWAY_HISTORY'] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}
