#!/bin/sh
# make-site.sh PAGES SITE: each page's first line is its title, each other line a paragraph.
set -eu
pages=$1 site=$2
mkdir -p "$site"
for page in "$pages"/*.txt; do
  name=$(basename "$page" .txt)
  title=$(head -n 1 "$page")
  {
    printf '<!doctype html>\n<meta charset="utf-8">\n<title>%s</title>\n<h1>%s</h1>\n' "$title" "$title"
    tail -n +2 "$page" | sed -e '/^$/d' -e 's|.*|<p>&</p>|'
  } > "$site/$name.html"
  printf '<li><a href="%s.html">%s</a></li>\n' "$name" "$title"
done > "$site/list"
{
  printf '<!doctype html>\n<meta charset="utf-8">\n<title>Harbour</title>\n<h1>Harbour</h1>\n<ul>\n'
  cat "$site/list"
  printf '</ul>\n<p>As of %s.</p>\n' "$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%F)"
} > "$site/index.html"
rm "$site/list"
gzip -9nk "$site"/*.html
