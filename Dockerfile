FROM python:3.11-slim
WORKDIR /srv
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt && useradd --create-home --uid 1000 exportui && install -d -o exportui /data /data/static
COPY manage.py ./
COPY exportui exportui
COPY jobs jobs
COPY templates templates
COPY static static
ENV EXPORTUI_DATA_DIR=/data PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
USER exportui
