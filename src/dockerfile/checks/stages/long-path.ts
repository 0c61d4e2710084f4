/** Characters of a path beyond which it is not followed: it may have half as many folders. */
export const maxPath = 1000;
