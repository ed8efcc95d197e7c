"""The studies by name. A study is a question, the runs that it needs, and its answer from them."""

from resnet_inspect.analysis.studies import (
    axes,
    batch_norm,
    l2,
    optimizers,
    padding,
    reuse,
    shapes,
    sparsity,
    stem,
    update_ops,
)
from resnet_inspect.analysis.studies.answer import Answer, Cell, Grid, Statement, Verdict
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        shapes,
        batch_norm,
        stem,
        sparsity,
        l2,
        optimizers,
        update_ops,
        padding,
        reuse,
        axes,
    )
}

__all__ = [
    "STUDIES",
    "Answer",
    "Cell",
    "Grid",
    "Statement",
    "Study",
    "Variant",
    "VariantRun",
    "VariantRuns",
    "Verdict",
]
