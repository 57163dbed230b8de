throw new Error("this application can not be loaded");
