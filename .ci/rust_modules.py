"""The modules of a Rust crate, and which of its files uses which: enough of the language for that, and no more."""

import re
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED = r"""
    \s+ | //[^\n]* | /\*(?:[^*]|\*(?!/))*\*/                       # white space and comments (none is nested)
  | b?r(?P<hashes>\#*)"(?:.|\n)*?"(?P=hashes) | [bc]?"(?:\\(?:.|\n)|[^"\\])*"  # strings
  | b?'(?:\\[^\n]+?|[^'\\\n])' | '\w+                              # characters and lifetimes
  | \b\d\w*                                                        # numbers
"""
TOKEN = re.compile(rf"(?P<skipped>{SKIPPED})|(?P<token>(?:r\#)?[A-Za-z_]\w*|::|(?:.|\n))", re.VERBOSE)
NAME = re.compile(r"[A-Za-z_]\w*")
ITEMS = {"const", "enum", "fn", "static", "struct", "trait", "type", "union", "macro_rules"}


@dataclass(eq=False)
class Module:
    """A module: a file, or a block of one."""

    file: Path
    parent: "Module | None" = None
    children: dict[str, "Module"] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    glob_imports: list[list[str]] = field(default_factory=list)
    paths: list[list[str]] = field(default_factory=list)
    is_facade: bool = True

    def tree(self):
        yield self
        for child in self.children.values():
            yield from child.tree()


def tokens_of(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    return [match["token"] for match in TOKEN.finditer(text) if match["token"]]


def read(root: Path) -> Module:
    """Reads a crate, of the file that its compilation begins with."""
    crate = Module(root)
    read_file(crate, tokens_of(root), root.parent)
    return crate


def read_file(module: Module, tokens: list[str], directory: Path) -> None:
    """Reads a file: `directory` has the files of its child modules."""
    scopes = [(module, directory, 0)]
    position = depth = 0
    path_attribute = None
    while position < len(tokens):
        module, directory, _ = scopes[-1]
        token, following = tokens[position], tokens[position + 1 : position + 3]
        position += 1
        if token == "#":
            position = end_of_group(tokens, position + (following[0] == "!"))
        elif token == "mod" and following[1:] == [";"]:
            read_child(module, following[0], directory)
            position += 2
        elif token == "mod" and following[1:] == ["{"]:
            child = module.children.setdefault(following[0], Module(module.file, module))
            depth += 1
            scopes.append((child, directory / following[0], depth))
            position += 2
        elif token == "use":
            end = tokens.index(";", position)
            read_use(module, tokens[position:end])
            position = end + 1
        elif token == "pub":
            position = end_of_group(tokens, position) if following[:1] == ["("] else position
        elif token == "}" and depth == scopes[-1][2] and len(scopes) > 1:
            scopes.pop()
            depth -= 1
        else:
            module.is_facade = False
            depth += (token == "{") - (token == "}")
            if token in ITEMS:
                module.items.update(name for name in following if NAME.fullmatch(name))
            elif NAME.fullmatch(token) and following[:1] == ["::"] and tokens[position - 2 : position - 1] != ["::"]:
                module.paths.append(path_at(tokens, position - 1))


def read_child(module: Module, name: str, directory: Path) -> None:
    """Reads the file of a child module. One that is generated, or at a path of its own, is not read."""
    for file, of_children in (directory / f"{name}.rs", directory / name), (directory / name / "mod.rs", directory / name):
        if file.exists():
            child = module.children.setdefault(name, Module(file, module))
            read_file(child, tokens_of(file), of_children)
            return


def end_of_group(tokens: list[str], position: int) -> int:
    """Returns the position behind the group in brackets that begins here."""
    depth = 0
    while True:
        depth += (tokens[position] in "([{") - (tokens[position] in ")]}")
        position += 1
        if depth == 0:
            return position


def path_at(tokens: list[str], position: int) -> list[str]:
    path = [tokens[position]]
    while tokens[position + 1 : position + 2] == ["::"] and NAME.fullmatch(tokens[position + 2]):
        position += 2
        path.append(tokens[position])
    return path


def read_use(module: Module, tokens: list[str]) -> None:
    """Reads a tree of imports: `a::{b, c::d as e, f::*}`."""

    def read_tree(position: int, prefix: list[str]) -> int:
        path = list(prefix)
        while True:
            token = tokens[position] if position < len(tokens) else ","
            if token == "{":
                position += 1
                while tokens[position] != "}":
                    position = read_tree(position, path)
                    position += tokens[position] == ","
                return position + 1
            if token == "*":
                module.glob_imports.append(path)
                return position + 1
            if token in ",}":
                name = path[-1]
                path = path[:-1] if name == "self" else path
                module.imports[path[-1] if name == "self" else name] = path
                return position
            if token == "as":
                module.imports[tokens[position + 1]] = path
                return position + 2
            if token != "::":
                path.append(token)
            position += 1

    read_tree(0, [])


def module_of(module: Module, path: list[str], seen: frozenset = frozenset()) -> Module | None:
    """Returns the module that defines what a path names, through re-exports. Returns nothing for another crate."""
    first, rest = path[0], path[1:]
    if first == "crate":
        while module.parent:
            module = module.parent
    elif first == "super":
        module = module.parent
        if rest[:1] == ["super"]:
            return module_of(module, rest, seen)
    elif first != "self":
        return member_of(module, path, seen)
    return (member_of(module, rest, seen) or module) if rest else module


def member_of(module: Module, path: list[str], seen: frozenset) -> Module | None:
    """Returns the module that defines what a path names, where that begins with something of this module."""
    first, rest = path[0], path[1:]
    if first in module.children:
        child = module.children[first]
        return (member_of(child, rest, seen) or child) if rest else child
    if first in module.items:
        return module
    if (module, first) in seen:
        return None
    seen |= {(module, first)}
    if first in module.imports:
        return module_of(module, module.imports[first] + rest, seen)
    origins = (module_of(module, imported, seen) for imported in module.glob_imports)
    found = (member_of(origin, path, seen) for origin in origins if origin)
    return next(filter(None, found), None)


def uses(crate: Module) -> dict[Path, set[Path]]:
    """Returns which files each file uses. One that only declares and re-exports its children uses none."""
    edges = {module.file: set() for module in crate.tree()}
    facades = {module.file for module in crate.tree() if module.is_facade}
    facades -= {module.file for module in crate.tree() if not module.is_facade}
    for module in crate.tree():
        if module.file not in facades:
            for path in [*module.imports.values(), *module.glob_imports, *module.paths]:
                origin = module_of(module, path)
                if origin:
                    edges[module.file].add(origin.file)
    return {file: used - {file} for file, used in edges.items()}


def cycles(edges: dict[Path, set[Path]]) -> list[list[Path]]:
    """Returns the sets of files that use each other: those with the same reach."""

    def reach(file: Path) -> set[Path]:
        seen, pending = set(), [file]
        while pending:
            new = edges[pending.pop()] - seen
            seen |= new
            pending += new
        return seen

    reached = {file: reach(file) for file in edges}
    groups = {frozenset(other for other in reached[file] if file in reached[other]) for file in edges}
    return sorted(sorted(group) for group in groups if group)
