print("handfast")
