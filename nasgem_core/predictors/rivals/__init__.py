"""The predictors of other publications, and the paper's own recipe, behind the same interface as ours."""
