# The `nasgem` command for a project folder: see docs/docker.md.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 nasgem \
    && install --directory --owner nasgem /nasgem /project

USER nasgem
WORKDIR /nasgem

# The packages first: this layer changes with the lock file alone. `make` refuses a file without the hash that the lock has.
COPY --chown=nasgem Makefile requirements.lock ./
RUN make .venv/.packages PIP_NO_CACHE_DIR=1

COPY --chown=nasgem LICENSE README.md pyproject.toml ./
COPY --chown=nasgem .dvc .dvc
COPY --chown=nasgem data data
COPY --chown=nasgem profiles profiles
COPY --chown=nasgem nasgem_core nasgem_core
COPY --chown=nasgem tasks tasks
COPY --chown=nasgem flows flows
COPY --chown=nasgem nasgem nasgem
RUN make .venv/.project

# DVC starts `nasgem` by its name, and asks for the name of a user, which a number given to `docker run --user` lacks.
ENV PATH=/nasgem/.venv/bin:$PATH USER=nasgem

VOLUME /project
WORKDIR /project
ENTRYPOINT ["nasgem"]
CMD ["--help"]
