/** Whether an image's name tells that it is one of Windows, where cmd is the shell. */
export function namesWindows(image: string): boolean {
  return /windows|nanoserver|servercore/i.test(image);
}
