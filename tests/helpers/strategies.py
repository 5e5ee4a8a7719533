"""Any expressions, for tests of properties."""

from hypothesis import strategies as st

from clavilux.patches.mix import mix

__all__ = ["signals_of"]


def signals_of(leaves, *, max_leaves):
    """Signals made of some others by arithmetic, smoothing and mixing, with parts that are shared."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] / pair[1]),
            st.tuples(inner, st.floats(0, 600)).map(lambda pair: pair[0].smooth(seconds=pair[1])),
            st.tuples(inner, inner, inner).map(lambda three: mix(*three)),
            inner.map(lambda signal: -signal),
            inner.map(lambda signal: signal * signal),
        ),
        max_leaves=max_leaves,
    )
