/** Text for logs and histories: of http URLs with user info in them, which may be a password or a token, that part is not shown. */
export function hideCredentials(text: string): string {
  return text.replace(/\b(https?:\/\/)[^\s/@'"]+@/gi, '$1***@');
}
