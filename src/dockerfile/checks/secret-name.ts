const denied = words('apikey auth credential credentials key password pword passwd secret token');
const allowed = words('public file version');

/** Whether a variable is called like something that nobody else should see: `DATABASE_PASSWORD`, but not `KEY_FILE`. */
export function isSecretName(name: string): boolean {
  return denied.test(name) && !allowed.test(name);
}

/** One of the words as a whole part of a name. */
function words(list: string): RegExp {
  return new RegExp(`(?:_|^)(?:${list.replaceAll(' ', '|')})(?:_|$)`, 'i');
}
