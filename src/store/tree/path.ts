const slash = Buffer.from('/');

/** `folder/name`, as bytes: names in images need not be UTF-8. */
export function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, slash, name]);
}
