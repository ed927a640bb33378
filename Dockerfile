# The worker, with only the packages that it needs. `--target web`: the web server. `--target sandbox`: the partner
# sandbox (docker-compose.yml).
FROM python:3.11.15-slim-bookworm AS worker

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /app

# Before the code, so that a change of the code does not install the packages again.
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.lock \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner app /data

COPY . ./

USER 10001
CMD ["python", "worker.py"]

# Adds the command line, the web server, the partner sandbox and the codec server.
FROM worker AS web

USER 0
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements-machine.lock

USER 10001
CMD ["python", "-m", "web"]

FROM web AS sandbox
CMD ["python", "-m", "partners.sandbox", "--host", "0.0.0.0"]

# The default target of `docker build .`.
FROM worker
