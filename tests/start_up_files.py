"""Start-up files as people have them, made at random: for bash, zsh and fish, with every construct that may hide a variable.

What they do is harmless: variables, functions, aliases, output.
"""

from __future__ import annotations

from hypothesis import strategies as st

NAME = "GEMINI_API_KEY"
_name = st.sampled_from(["A", "B2", "FOO", "_x", f"{NAME}_OLD", f"X{NAME}", "gem"])
_word = st.from_regex(r"[a-z0-9./:@%+-]{1,8}", fullmatch=True)
_odd = st.sampled_from(["caf\udce9", "größe", "日本", "a b", "#no comment", "it is; not && over", "{x}", "(y", "*", "~", ""])

# Lines that set the variable, or seem to. Most of them may not be touched.
_POSIX_MINE = [
    f"export {NAME}=old",
    f"export {NAME}='old key' # mine",
    f'{NAME}="old"',
    f"declare -x {NAME}=old;",
    f"  typeset -gx {NAME}=$HOME/x",
    f'export {NAME}="${{{NAME}:-old}}"',
    f"export {NAME}=$(printf old)",
    f'export {NAME}="$(printf "%s" old)"',
    f"export {NAME}=`printf old`",
    f"export {NAME}=a FOO=1 BAR=2",
    f"export FOO=1 {NAME}=a",
    f"export {NAME}=a; export EDITOR=vi",
    f"{NAME}=x true",
    f"{NAME}=x B=2 printf 'ran\\n'",
    f'export {NAME}="$(printf \\\n  old)"',
    f"export \\\n  {NAME}=old",
    f"export {NAME}=old\\\nmore",
    f"[ -n x ] && export {NAME}=old",
    f"[ -n x ] &&\n  export {NAME}=old",
    f"false ||\n{NAME}=old",
    f"export {NAME}",
    f"unset {NAME}",
    f"eval 'export {NAME}=old'",
    f'export "{NAME}=old"',
    f"{NAME}+=more",
    f": ${{{NAME}:=old}}",
    f"read {NAME} <<< old",
    f'echo "export {NAME}=old"',
    f"B='\nexport {NAME}=quoted\n'",
    f'B="\nexport {NAME}=quoted\n"',
    f"B=(\n{NAME}=element\n)",
    f"# export {NAME}=old",
    f"cat <<EOF\nexport {NAME}=text\nEOF",
    f"cat <<-'E O'\n\tfi\n\t{NAME}=text )\n\tE O",
    f"cat <<A <<'B'\n{NAME}=a\nA\n{NAME}=b\nB",
    f"false; export {NAME}=old\nFOO=$?",
    f"export {NAME}=old\nFOO=$?",
    f"true\nexport {NAME}=old\nFOO=$_",
    f"alias g='{NAME}=x gemini'",
    f"gem() {{ {NAME}=x printf 'ran\\n'; }}",
    f"gem() {{\n  export {NAME}=x\n}}",
    f"export {NAME}=old # ends in a backslash \\",
    f"for {NAME} in a b; do :; done",
]
_POSIX_SIMPLE = [
    "alias ll='ls -l'",
    "FOO=(a b c)",
    "FOO=(\n  a # one\n  'b c'\n)",
    "printf 'out %s\\n' \"$((1 << 2))\"",
    "(( FOO2 = 1 << 3 ))",
    'FOO=${B2:-"a # b"}',
    "FOO=${#B2}",
    "FOO='it'\\''s'",
    "FOO=$'a\\'b\\n'",
    'FOO="a $(printf "b ${B2:-c}") `printf d`"',
    "printf 'a\\n' \\\n  'b'",
    "true && \\\n  printf 'c\\n'",
    "! false",
    "false",
    "FOO=$?",
    "[[ a == a && ! -e /x ]] && FOO=yes",
    "# a comment that ends in a backslash \\",
    "\t# it's",
    "printf '%s\\n' \"$PATH\" | while read -r x; do printf 'p\\n'; done",
    "{ printf 'g\\n'; }",
    "( FOO=inside; printf 's\\n' )",
    "printf '%s\\n' a#b",
    "cat <<'EOF' | cat\n$( ` \"\nEOF",
    "cat <<< 'here string'",
    "",
    "   ",
]
_ZSH = ["for x (a b) printf '%s\\n' $x", "repeat 2 printf 'r\\n'", "FOO=${(U)B2}", "if [[ a == a ]] { printf 'z\\n' }"]
_ZSH_MINE = [
    f"for x (a b)\n  export {NAME}=$x",
    f"repeat 2\nexport {NAME}=old",
    f"if [[ a == b ]] {{\n  export {NAME}=old\n}} else {{\n  export {NAME}=new\n}}",
    f"() {{\n  export {NAME}=x\n}}",
    f"true &&\n\n# comment\nexport {NAME}=old",
    f"false &&\n\n# comment\nexport {NAME}=old",
]
_assignments = st.builds("{}{}='{}'".format, st.sampled_from(["", "export ", "  "]), _name, st.one_of(_word, _odd))
_comments = st.one_of(_odd, _word).map("# {}".format)


def _posix_compound(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    block = st.lists(body, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        st.builds("if true; then\n{}\nelse\n{}\nfi".format, block, block),
        st.builds("if false\nthen\n{}\nelif true\nthen {}\nfi".format, block, block),
        st.builds("for i in 1 2; do\n{}\ndone".format, block),
        st.builds("for i in 1\ndo\n{}\ndone".format, block),
        st.builds("i=0; while [ $i -lt 1 ]; do\n i=$((i+1))\n{}\ndone".format, block),
        st.builds("until true; do\n{}\ndone".format, block),
        st.builds("case x in\n  (a|b)\n{}\n ;;\n  x) \n{}\n  ;;\nesac".format, block, block),
        st.builds("case x in\n*)\n{} ;;\nesac".format, block),
        st.builds("f_{}() {{\n{}\n}}".format, _name, block),
        st.builds("function g_{} {{\n{}\n}}\ng_A 2>/dev/null".format, _name, block),
        st.builds("{{\n{}\n}}".format, block),
        st.builds("(\n{}\n)".format, block),
        st.builds("FOO=$(\n{}\n)".format, block),
        st.builds("{{\n{}\n}} | cat".format, block),
    )


def posix(shell: str) -> st.SearchStrategy[str]:
    """Texts for bash or zsh."""
    mine = _POSIX_MINE + (_ZSH_MINE if shell == "zsh" else [])
    plain = _POSIX_SIMPLE + (_ZSH if shell == "zsh" else [])
    leaf = st.one_of(st.sampled_from(mine), st.sampled_from(plain), _assignments, _comments)
    return _file(st.one_of(leaf, st.recursive(leaf, _posix_compound, max_leaves=6)), simple=_posix_crlf())


def _posix_crlf() -> st.SearchStrategy[str]:
    mine = st.sampled_from(
        [f"export {NAME}=old", f"export {NAME}='old' # mine", f"{NAME}=old", f"# {NAME}=x", f"export B=1 {NAME}=a"]
    )
    return st.one_of(mine, _assignments, _comments, st.just(""))


_FISH_MINE = [
    f"set -gx {NAME} old",
    f"set -gx {NAME} 'old key' # mine",
    f"  set --global --export {NAME} old;",
    f"set -x {NAME} a b",
    f"set {NAME} old",
    f"export {NAME}=old",
    f"set -gx {NAME} (echo old)",
    f"set -gx {NAME} (echo \\\n old)",
    f"set -gx \\\n  {NAME} old",
    f"set -gx {NAME} old; set -gx EDITOR vi",
    f"set -q {NAME}; and true",
    f"set -q {NAME} && true",
    f"set -q {NAME}; or set -gx {NAME} old",
    f"set -e {NAME}",
    f"false\nset -gx {NAME} old\nand echo and",
    f"set -gx {NAME} (false)\nor echo or",
    f"set -gx {NAME} old\nset FOO $status",
    f"true; and set -gx {NAME} old",
    f"false; or \\\nset -gx {NAME} old",
    f"true &&\nset -gx {NAME} old",
    f"env {NAME}=x true",
    f"{NAME}=x true",
    f"echo 'set -gx {NAME} old'",
    f"set B '\nset -gx {NAME} quoted\n'",
    f'set B "\nset -gx {NAME} quoted\n"',
    f"# set -gx {NAME} old",
    f"function gem\n  set -gx {NAME} x\nend",
    f"alias g '{NAME}=x gemini'",
    f"for {NAME} in a b\n true\nend",
    f"echo old | read {NAME}",
    f"eval 'set -gx {NAME} old'",
    f"set -a {NAME} more",
    f"set -gx {NAME} old # ends in a backslash \\",
    f"not true; or set -gx {NAME} old",
]
_FISH_SIMPLE = [
    "set FOO a b c",
    "set -gx PATH ~/bin $PATH",
    "alias ll 'ls -l'",
    "set FOO 'it\\'s'",
    'set FOO "a $PATH \\"b"',
    "set FOO (echo a | cat)",
    "echo a \\\n  b",
    "echo a # b",
    "echo a#b",
    "true; and echo c",
    "false",
    "set FOO $status",
    "not false",
    "# it's \\",
    "echo {a,b}",
    'echo "x\ny"',
    "",
    "  ",
]


def _fish_compound(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    block = st.lists(body, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        st.builds("if true\n{}\nelse\n{}\nend".format, block, block),
        st.builds("if false\n{}\nelse if true\n{}\nend".format, block, block),
        st.builds("for i in 1 2\n{}\nend".format, block),
        st.builds('set i x; while test -n "$i"\n set i\n{}\nend'.format, block),
        st.builds("switch x\ncase a b\n{}\ncase '*'\n{}\nend".format, block, block),
        st.builds("function f_{}\n{}\nend".format, _name, block),
        st.builds("begin\n{}\nend".format, block),
        st.builds("begin; {}\nend | cat".format, block),
    )


def fish() -> st.SearchStrategy[str]:
    """Texts for fish."""
    setting = st.builds("set {}{} '{}'".format, st.sampled_from(["", "-gx ", "-g "]), _name, st.one_of(_word, _odd))
    leaf = st.one_of(st.sampled_from(_FISH_MINE), st.sampled_from(_FISH_SIMPLE), setting, _comments)
    simple = st.one_of(setting, _comments, st.sampled_from([f"set -gx {NAME} old", f"set -gx {NAME} old # mine", ""]))
    return _file(st.one_of(leaf, st.recursive(leaf, _fish_compound, max_leaves=6)), simple=simple)


def _file(piece: st.SearchStrategy[str], *, simple: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Pieces to a file; the last line with its newline or without. Carriage returns only where code bears them."""
    whole = st.builds(
        lambda pieces, end: "\n".join(pieces) + end, st.lists(piece, max_size=6), st.sampled_from(["\n", "", "\n\n"])
    )
    crlf = st.builds(lambda pieces: "\r\n".join((*pieces, "")), st.lists(simple, min_size=1, max_size=6))
    return st.one_of(whole, whole, whole, whole, crlf)
