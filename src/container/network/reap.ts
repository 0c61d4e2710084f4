import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNetavark } from './choose.ts';
import { subnetOfBridge } from './subnet.ts';

/** The file that names what a build made of networks. */
export const networkMark = 'network';

/** Clears away the network of a build whose process died, by the mark in its folder. */
export async function reapNetwork(folder: string): Promise<void> {
  let name: string;
  try {
    name = readFileSync(join(folder, networkMark), 'latin1');
  } catch {
    return; // there was none
  }
  const subnet = subnetOfBridge(name);
  const file = findNetavark();
  if (subnet === undefined || file === undefined) return;
  const { reapBridge } = await import('./netavark.ts');
  await reapBridge(file, subnet);
}
