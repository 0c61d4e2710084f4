export * from './image-layers.ts';
export * from './image-tree.ts';
export * from './layer-tree.ts';
