import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type ContainerErrorCode =
  /** USER names somebody that the root's passwd or group does not know. */
  | 'USER_NOT_FOUND'
  /** USER or an owner that cannot be one: out of range, empty, wrong form. */
  | 'USER_INVALID'
  /** A spec that no container can be made of: id, working directory, arguments. */
  | 'SPEC_INVALID'
  /** The root file system is made so that setting it up would be unsafe. */
  | 'ROOT_UNSAFE'
  /** The runtime failed before the step's process was started. */
  | 'RUNTIME_FAILED'
  /** Neither isolation, or not the one asked for, works here. */
  | 'ISOLATION_UNAVAILABLE'
  /** A network of a step's own could not be made. */
  | 'NETWORK_FAILED'
  /** A limit that cannot be set here. */
  | 'LIMIT_UNAVAILABLE'
  /** A security option that cannot be heeded here. */
  | 'SECURITY_UNAVAILABLE'
  | 'ABORTED';

/** A container could not be started or watched. The failure of the process inside is no error: see `ExitStatus`. */
export class ContainerError extends SlipwayError {
  readonly code: ContainerErrorCode;
  constructor(code: ContainerErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
