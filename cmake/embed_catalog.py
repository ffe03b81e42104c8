"""Writes the catalogue's files as one C++ source: embed_catalog.py CATALOG_DIR OUTPUT.cpp"""
import pathlib
import sys

root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
files = sorted(p for p in root.rglob("*") if p.suffix in (".yaml", ".scenario"))

lines = ['#include "base/catalog.h"', "", "namespace vouch {", "", "const CatalogFiles& shipped_catalog() {",
         "  static const CatalogFiles files{{"]
for path in files:
    part = path.relative_to(root).as_posix()
    text = path.read_text("utf-8")
    # A raw literal may be at most 64 KiB for some compilers; neighbours are joined.
    pieces = [text[i:i + 16000] for i in range(0, len(text), 16000)] or [""]
    literal = "\n".join(f'R"vouch~({piece})vouch~"' for piece in pieces)
    lines.append(f'      {{"catalog/{part}", "{part}", {literal}, true}},')
lines += ["  }};", "  return files;", "}", "", "}  // namespace vouch", ""]
output.write_text("\n".join(lines), "utf-8")
