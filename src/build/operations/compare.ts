import { readListing } from '../copy/listing-file.ts';
import { compareListings, type ListingDifference } from '../copy/listing.ts';
import type { CompareJob } from '../workshop/jobs.ts';

/** What differs between two selections of which listings were kept. */
export function compareJob({ before, after }: CompareJob): ListingDifference | undefined {
  const [was, now] = [readListing(before), readListing(after)];
  return was === undefined || now === undefined ? undefined : compareListings(was, now);
}
