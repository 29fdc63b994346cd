"""Tasks, files and reports of the benchmark of predictors on tables of measured cells."""
