/** One line of a uid or gid map: `length` ids from `inside` in the namespace are `outside` and up on the machine. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly length: number;
}

/**
 * What this process may do, decided once at the door and passed down; nothing deeper probes.
 * - `root`: real root, owners are kept.
 * - `mapped`: root of a user namespace with subordinate ids, owners are kept.
 * - `single`: root of a user namespace with one id; owners other than 0:0 cannot be set on disk and are recorded in the
 *   extended attribute `user.slipway.owner`.
 * - `none`: an ordinary user with no namespace: content and names only, no snapshots.
 */
export interface Privileges {
  readonly kind: 'root' | 'mapped' | 'single' | 'none';
  readonly uidMap: readonly IdRange[];
  readonly gidMap: readonly IdRange[];
  /** Where overlayfs keeps its attributes: `trusted.` for root, `user.` (mount option `userxattr`) in a namespace. */
  readonly overlayXattrPrefix: 'trusted.overlay.' | 'user.overlay.';
  /** Whether device nodes other than the 0:0 whiteout can be made. */
  readonly mayMknod: boolean;
  /** The id of the person who runs this, outside of any namespace. */
  readonly realUid: number;
}
