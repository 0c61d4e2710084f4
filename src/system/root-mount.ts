/** How the writable root of a container comes to be; made by the store's snapshotters, carried out by a driver. */
export type RootMount =
  | {
      readonly kind: 'overlay';
      /** Folder that the other paths are relative to: keeps long stacks below the kernel's one-page limit. */
      readonly cwd: string;
      /** Uppermost first. */
      readonly lowers: readonly string[];
      /** Absent: read-only. */
      readonly upper?: string;
      readonly work?: string;
      readonly volatile: boolean;
      /** `userxattr` of overlayfs, in a user namespace. */
      readonly userXattr: boolean;
    }
  | { readonly kind: 'directory'; readonly path: string; readonly readOnly: boolean };
