"""Writes a file as a C++ function that returns its text: embed_text.py FILE OUTPUT.cpp HEADER NAMESPACE FUNCTION"""
import pathlib
import sys

file, output, header, namespace, function = sys.argv[1:]
text = pathlib.Path(file).read_text("utf-8")
# A raw literal may be at most 64 KiB for some compilers; neighbours are joined.
literal = "\n".join(f'R"vouch~({text[i:i + 16000]})vouch~"' for i in range(0, len(text), 16000)) or '""'
pathlib.Path(output).write_text(f'#include "{header}"\n\nnamespace {namespace} {{\n\nstd::string_view {function}() {{\n  return\n{literal};\n}}\n\n}}  // namespace {namespace}\n', "utf-8")
