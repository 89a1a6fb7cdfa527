"""What `make mutate` says of what it finds."""

from __future__ import annotations

from mutate import Change, Results, change_of, explanations, stale, table

DIFF = """\
--- src/orders/domain/order.py
+++ src/orders/domain/order.py
@@ -1,3 +1,3 @@
 def changed_to(self):
-        return self.version + 1
+        return self.version - 1"""
CHANGE = Change(
    "orders.domain.order.Order.changed_to", "- return self.version + 1\n+ return self.version - 1"
)
EXPLAINED = """
[[survivor]]
function = "orders.domain.order.Order.changed_to"
change = '''
- return self.version + 1
+ return self.version - 1
'''
because = "nobody looks"
"""


def test_a_change_is_known_by_its_function_and_its_lines_not_by_its_number() -> None:
    for number in (1, 12):
        name = f"orders.domain.order.xǁOrderǁchanged_to__mutmut_{number}"
        assert change_of(name, DIFF) == CHANGE
    assert (
        change_of("orders.http.cursor.x__digest__mutmut_1", DIFF).function
        == "orders.http.cursor._digest"
    )


def test_an_explanation_holds_as_long_as_its_change_survives() -> None:
    assert explanations(EXPLAINED) == {CHANGE}
    assert stale({CHANGE}, [CHANGE]) == []
    assert stale({CHANGE}, []) == [CHANGE]


def test_the_score_is_of_all_mutants_explained_or_not() -> None:
    a, b, c = (f"orders.domain.order.x_a__mutmut_{number}" for number in (1, 2, 3))
    d = "orders.http.cursor.x_d__mutmut_1"
    statuses = {a: "killed", b: "survived", c: "no tests", d: "killed"}
    results = Results(statuses, {b: CHANGE, c: Change("orders.domain.order.a", "")})
    assert table(results, {CHANGE})[2:] == [
        "| orders.domain | 3 | 1 | 1 | 1 | 33.3 % |",
        "| orders.http | 1 | 1 | 0 | 0 | 100.0 % |",
        "| all | 4 | 2 | 1 | 1 | 50.0 % |",
    ]
