#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""rules.py POLICY < EXPECTATIONS: says for each line "may|may_not DOMAIN TYPE CLASS PERMISSION: SENTENCE" whether a
binary SELinux policy agrees, in one pass over its rules (sesearch takes a second each).

Only rules count that no boolean can switch off. Those of an "unconfined" attribute don't: such domains may do anything,
with or without our module, and would make every "may" true.
"""

import sys

import setools

policy = setools.SELinuxPolicy(sys.argv[1])


def names(name, own):  # what a rule may call it by
    if name == "self":
        return {"self"} | own
    kind = policy.lookup_type(name)  # an unknown one is an error, not a "may not"
    return {str(kind)} | {str(attribute) for attribute in kind.attributes()}


def permissions(name):
    tclass = policy.lookup_class(name)
    try:
        return tclass.perms | tclass.common.perms
    except setools.exception.NoCommon:
        return tclass.perms


expected = []
for line in sys.stdin:
    words, sentence = line.strip().split(": ", 1)
    verb, domain, target, tclass, permission = words.split()
    if permission not in permissions(tclass):
        sys.exit(f"rules.py: {tclass} has no {permission}")
    sources = names(domain, set())
    expected.append((verb == "may", sources, names(target, sources), target in ("self", domain), tclass, permission, sentence))

found = set()
classes = {one[4] for one in expected}
for rule in policy.terules():
    if rule.ruletype != setools.TERuletype.allow or str(rule.tclass) not in classes:
        continue
    try:
        rule.conditional
        continue
    except setools.exception.RuleNotConditional:
        pass
    source, target, tclass = str(rule.source), str(rule.target), str(rule.tclass)
    if "unconfined" in source:
        continue
    for index, (_, sources, targets, to_self, wanted, permission, _) in enumerate(expected):
        if tclass == wanted and source in sources and permission in rule.perms and \
                (target in targets or (to_self and target == "self")):
            found.add(index)

failed = 0
for index, (may, *_, sentence) in enumerate(expected):
    good = (index in found) == may
    failed += not good
    print("ok    " if good else "FAILED ", sentence, sep="")
sys.exit(1 if failed else 0)
