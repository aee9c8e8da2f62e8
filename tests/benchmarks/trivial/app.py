"""A function that does nothing but answer: what is measured with it is the way to it and back."""

from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Answers."""
    return {"status": "healthy"}


handler = Mangum(app, lifespan="off")
