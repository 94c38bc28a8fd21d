#!/usr/bin/env python3
"""The server that many write themselves: FastAPI and XGBoost in one process. usage: by_hand.py PORT"""

import sys

import numpy
import uvicorn
import xgboost
from fastapi import FastAPI, Request

app = FastAPI()
models = {}


@app.post("/models")
def load(wanted: dict):
    models[wanted["model_name"]] = xgboost.Booster({"nthread": 1}, model_file=f"{wanted['url']}/model.ubj")


@app.delete("/models/{name}")
def unload(name: str):
    del models[name]


@app.post("/models/{name}/invoke")
async def invoke(name: str, request: Request):
    lines = (await request.body()).decode().splitlines()
    cells = [[float(cell or "nan") for cell in line.split(",")] for line in lines]
    return models[name].inplace_predict(numpy.array(cells, numpy.float32)).tolist()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="info", access_log=False)
