/** Who may log in. */
export interface Users {
  /** Whether the password is that user's; takes as long for a user that is not there. @throws ProtocolError TOOMANYREQUESTS */
  verify(user: string, password: string): Promise<boolean>;
  /** Changes with the user's password; undefined where there is no such user. What was given out under another stamp is void. */
  stamp(user: string): Promise<string | undefined>;
}

/** Takes whatever is not empty: for stand-ins of services whose accounts a test has no interest in. */
export const anyUser: Users = {
  verify: async (user, password) => user !== '' && password !== '',
  stamp: async () => 'any',
};
