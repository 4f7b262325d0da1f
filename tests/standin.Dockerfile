# The AWS stand-in of the tests as an image, for compose.yaml. The context is the folder tests/.
FROM python:3.11-slim-bookworm
WORKDIR /standin
COPY requirements.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY aws_standin.py ./
COPY standin standin
USER 65532:65532
ENTRYPOINT ["python"]
CMD ["aws_standin.py"]
