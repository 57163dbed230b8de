export const nothing = "usable";
