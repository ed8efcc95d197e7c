import gc, os, weakref
import numpy as np
import keras
os.makedirs("elsewhere", exist_ok=True)
os.chdir("elsewhere")
seen = []
def main():
    for fold in range(3):
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(np.ones((32, 8)), np.ones((32, 1)), verbose=0)
        seen.extend([weakref.ref(model), weakref.ref(model.optimizer)])
        del model
        keras.utils.clear_session()
        gc.collect()
        print("alive", sum(one() is not None for one in seen))
main()
