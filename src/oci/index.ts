export * from './descriptor.ts';
export * from './digest.ts';
export * from './error.ts';
export * from './image-config.ts';
export * from './manifest.ts';
export * from './media-types.ts';
export * from './platform.ts';
export * from './target.ts';
