import fs from 'node:fs';
import path from 'node:path';

/** Magic numbers of statfs(2) of file systems whose locks or renames another machine may not see in time. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb3'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x564c, 'ncp'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
]);
const fuse = 0x65735546;
const networkFuse =
  /^fuse\.(sshfs|s3fs|rclone|gcsfuse|goofys|mount-s3|glusterfs|davfs|curlftpfs|juicefs|cephfs|ceph|seaweedfs|smbnetfs|blobfuse2?)\b/;

/** The name of the network file system that `folder` lies on; undefined: it is local. */
export function isNetworkFileSystem(folder: string): string | undefined {
  const type = fs.statfsSync(folder).type >>> 0;
  if (type !== fuse) return networkTypes.get(type);
  const mount = fs.readFileSync('/proc/thread-self/mountinfo', 'utf8');
  return networkFuseAt(fs.realpathSync(folder), mount);
}

/**
 * Magic numbers of file systems on which an inode's change time moves with every change of the file, and numbers of inodes are not
 * given to two files at once. Not overlayfs, whose files change their identity when they are first written, nor FUSE; nor tmpfs,
 * where what is written through a mapping moves no time.
 */
const faithfulTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xca451a4e, // bcachefs
  0xf2f52010, // f2fs
]);

/** Whether equal stats of a file in `folder`, its change time among them, prove that nobody wrote to it. */
export function tellsEveryChange(folder: string): boolean {
  return faithfulTypes.has(fs.statfsSync(folder).type >>> 0);
}

/** FUSE has one number for all; the kind is in the longest mount that holds the folder (proc(5) mountinfo). */
export function networkFuseAt(folder: string, mountinfo: string): string | undefined {
  let best: { readonly point: string; readonly type: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    const holds = point !== '' && !path.relative(point, folder).startsWith('..');
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, type: after.split(' ')[0] ?? '' };
  }
  return best !== undefined && networkFuse.test(best.type) ? best.type : undefined;
}
