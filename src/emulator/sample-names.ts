/** Names of many cultures for the sample workbook. Given and family names are combined within a row only. */
export const NAMES: readonly { readonly given: string; readonly family: string }[] = [
  {
    given: "Camille Léa Hugo Élodie Théo Maëlle Rémi Inès Baptiste Chloé Loïc Anaïs Margaux Sébastien Noémie Gaël",
    family: "Martin Lefèvre Moreau Garnier Roussel Chevalier Fournier Mercier Blanchard Guérin Delacroix Perrin",
  },
  {
    given: "Amina Youssef Nadia Karim Samira Ilyes Leïla Mehdi Yasmine Sofiane Nour Rachid Salma Omar Hanane Bilal",
    family: "Benali Haddad Mansouri Belkacem El-Amrani Bouzid Cherif Saïdi Zerrouki Khelifi Ouali Toumi",
  },
  {
    given: "Awa Mamadou Fatou Ibrahima Aïssatou Ousmane Mariama Cheikh Ndèye Moussa Coumba Abdoulaye Khady Seydou",
    family: "Diop Ndiaye Traoré Diallo Koné Sow Keïta Coulibaly Fall Cissé Sané Touré",
  },
  {
    given: "Thảo Minh Linh Quang Hương Đức Ngọc Tuấn Lan Phúc Mai Khánh Trang Sơn",
    family: "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô",
  },
  {
    given: "Sofía Mateo Valentina Diego Camila Joaquín Lucía Andrés Ximena Iñaki Paula Rafael Marisol Tomás",
    family: "García Fernández Muñoz Ibáñez Castillo Peña Ortega Rojas Núñez Salazar Vega Quispe",
  },
  {
    given: "Beatriz Tiago Inês João Mariana Duarte Leonor Gonçalo Catarina Luís Thaís Caetano Rita Vasco",
    family: "Silva Carvalho Gonçalves Ferreira Araújo Magalhães Teixeira Figueiredo Brandão Conceição Sousa Lopes",
  },
  {
    given: "Giulia Lorenzo Chiara Matteo Ginevra Niccolò Elisa Riccardo Beatrice Davide Noemi Edoardo Ilaria Fabio",
    family: "Rossi Ferrari Esposito D'Angelo Ricci Lombardi Barbieri Moretti Fontana De-Luca Santoro Rinaldi",
  },
  {
    given: "Zofia Jakub Małgorzata Wojciech Łucja Paweł Agnieszka Krzysztof Ewa Michał Kinga Stanisław Ola Mikołaj",
    family: "Nowak Kowalczyk Wiśniewski Zieliński Szymański Dąbrowski Wójcik Kamiński Pawlak Górski Rutkowski Żak",
  },
  {
    given: "Greta Jonas Frieda Maximilian Lieselotte Jürgen Käthe Björn Annika Sören Heike Florian Ute Anselm",
    family: "Müller Schäfer Weiß Köhler Vogel Krüger Böhm Lindner Groß Schütz Hartmann Jäger",
  },
  {
    given: "Priya Arjun Ananya Rohan Kavya Vikram Meera Aditya Lakshmi Siddharth Nisha Harpreet Divya Gurpreet",
    family: "Sharma Patel Iyer Singh Reddy Banerjee Nair Gupta Kaur Chatterjee Menon Desai",
  },
  {
    given: "Haruka Kenji Yuki Daichi Sakura Ren Aoi Takumi Hina Sōta Misaki Jun Emi Ryō",
    family: "Satō Suzuki Takahashi Tanaka Itō Watanabe Yamamoto Nakamura Kobayashi Ōno Hayashi Mori",
  },
  {
    given: "Seo-yeon Min-jun Ji-woo Do-yun Ha-eun Joon-ho Soo-ah Tae-yang Eun-ji Hyun-woo Na-yeon Kyung-min Yu-na Dong-hyun",
    family: "Kim Park Choi Jung Kang Yoon Jang Lim Han Shin Seo Kwon",
  },
  {
    given: "Elif Emre Zeynep Mert Ayşe Kerem Gülşen Barış İpek Çağlar Defne Oğuz Nazlı Tuğba",
    family: "Yılmaz Demir Şahin Çelik Kaya Öztürk Aydın Güneş Arslan Koç Doğan Kılıç",
  },
  {
    given: "Siobhán Callum Niamh Rhys Aoife Ewan Saoirse Owain Eilidh Finlay Gráinne Tadhg Orla Iwan",
    family: "O'Connor MacLeod Byrne Griffiths O'Sullivan Fraser Llewellyn Gallagher Murray Ó-Briain Sinclair Pritchard",
  },
  {
    given: "Daria Nikolaï Oksana Taras Ludmila Andriy Nadiya Ruslan Halyna Bohdan Svitlana Maksym Iryna Yuliya",
    family: "Kovalenko Shevchenko Bondarenko Melnyk Petrenko Tkachenko Moroz Savchenko Lysenko Rudenko Havrylenko Boyko",
  },
  {
    given: "Tsion Dawit Hiwot Abel Selam Yonas Makeda Kaleb Ifeoma Chidi Adaeze Emeka Ngozi Kwame Abena Kofi",
    family: "Tesfaye Bekele Haile Gebremariam Okafor Adeyemi Eze Nwosu Mensah Owusu Boateng Asante",
  },
];
