interface Weakness {
  readonly name: string;
  /** First fixed version of each line that got one; lines between have none, later lines have it from their start. */
  readonly fixed: readonly (readonly [major: number, minor: number, patch: number])[];
}

const weaknesses: readonly Weakness[] = [
  {
    name: 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881',
    fixed: [
      [1, 2, 8],
      [1, 3, 3],
      [1, 4, 0],
    ],
  },
  {
    name: 'CVE-2026-41579',
    fixed: [
      [1, 3, 6],
      [1, 4, 3],
      [1, 5, 0],
    ],
  },
];

/** Holes of this version that are known; a distribution may have closed one without changing the number. */
export function runcWeaknesses(version: string): readonly string[] {
  const [major = 0, minor = 0, patch = 0] = version.split(/[^0-9]+/).map(Number);
  const open = weaknesses.filter(({ fixed }) => !isFixed([major, minor, patch], fixed));
  return open.map(({ name, fixed }) => {
    const first = fixed.map((numbers) => numbers.join('.')).join(', ');
    return `runc ${version} is older than ${first} (${name}): root file systems that could use it are refused`;
  });
}

function isFixed(version: readonly [number, number, number], fixed: Weakness['fixed']): boolean {
  const [major, minor, patch] = version;
  const line = fixed.find(([fixedMajor, fixedMinor]) => fixedMajor === major && fixedMinor === minor);
  if (line !== undefined) return patch >= line[2];
  const [lastMajor = 0, lastMinor = 0] = fixed.at(-1) ?? [];
  return major > lastMajor || (major === lastMajor && minor > lastMinor);
}
