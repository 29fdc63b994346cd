"""Flows of single stages: each reads the files of the stages before it and writes data/<stage>."""
