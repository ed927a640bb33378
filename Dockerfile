# The worker; the partner sandbox runs from the same image (docker-compose.yml).
FROM python:3.11.15-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /app

# Before the code, so that a change of code installs nothing anew.
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.lock \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner app /data

COPY . ./

USER 10001
CMD ["python", "worker.py"]
