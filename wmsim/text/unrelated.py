"""What is no event: sentences from which the understanding of text learns to say that it has not understood.

Many are near to an event on purpose: refusals of one, questions about it, figures of speech, other weather, other
traffic, and what a driver tells a car. They are written like `wmsim.text.captions`.
"""

from __future__ import annotations

from wmsim.text.captions import parted

REFUSED: tuple[str, ...] = parted("""
    don't make it night / do not make it night / don't let it get dark / please not at night / I don't want night
    never make it dark / no night please / I would rather not drive in the dark / keep it from getting dark
    it must not become night / not night / don't make it dusk / no sunset please / don't let the sun set
    I don't want evening / not twilight / avoid the sunset / do not let the sun go down / don't make it foggy
    don't add fog / I don't want fog / never any mist / please do not bring fog / not foggy / I'd hate fog
    don't make it rain / do not let it rain / I don't want it to rain / don't start the rain / I hate rain
    never let it rain / not rain / please don't let it pour / I'd rather not have rain / it should not rain
    don't make it sunny / no sunshine please / I don't want clear weather / don't clear the sky / keep the sun away
    not sunny / do not stop the rain / don't lift the fog / never bring the sun back / don't let a car cut in
    no car should cut in / I don't want anyone to cut me off / do not cut me off / nobody cuts in
    keep other cars out of my lane / no cut-ins please / don't let anyone change lanes in front of me
    nobody may pull in ahead / avoid cars cutting in / never cut me up / no pedestrians please / don't let anybody cross
    I don't want a pedestrian to cross / do not put people on the road / nobody crosses the street
    keep pedestrians off the road / no one walks across / avoid pedestrians / without pedestrians
    don't let a child run out / no road works please / don't put roadworks there / I don't want construction
    remove the cones / no construction ahead / take the roadworks away / avoid the construction site
    do not close my lane / open the lane again / clear away the barriers / without roadworks / no cones
    stop the construction / I hate roadworks / don't dig up the road
    """)
"""Events that are not wanted, where nothing that is an event follows from it."""

ASKED: tuple[str, ...] = parted("""
    is it raining? / will it rain tomorrow? / does it rain a lot here? / why is it raining? / was it raining yesterday?
    what is rain made of? / how much rain fell last week? / is it foggy? / what causes fog? / when does the fog lift?
    why is it so foggy in November? / how far can you see in fog? / is it night already? / when does night fall?
    what time is sunset? / when does the sun set? / how long does dusk last? / what time is it? / is it day or night?
    is it sunny in Spain? / what is the weather like? / what's the forecast? / how is the weather?
    who forecasts the weather? / how warm is it? / is the sky blue? / why is the sky blue? / did a car just cut in?
    why do people cut in? / who cut me off? / is cutting in illegal? / was that a pedestrian?
    do pedestrians have right of way? / where do pedestrians cross? / how many people crossed the road?
    why did the chicken cross the road? / when will the roadworks be finished? / are there roadworks on the motorway?
    who pays for road construction? / how are roads built? / did you see those cones? / how do traffic cones work?
    what is a diversion? / how fast am I going? / where am I? / how far is it? / are we there yet? / which way is north?
    who are you? / what can you do? / what events are there? / can you hear me? / what is this? / how does this work?
    is anybody there? / why did the drive end? / what is my score? / how do I steer? / who made this world?
    """)
"""Questions that want an answer, not an event."""

DRIVING: tuple[str, ...] = parted("""
    turn left / turn right / go straight on / go faster / speed up / slow down / brake / stop / stop the car
    accelerate / drive on / keep going / reverse / back up / park here / park the car / pull over / make a U-turn
    change lanes / move to the left lane / overtake that car / overtake the lorry / pass the bus / follow that car
    follow the road / keep your distance / stay in lane / keep right / keep left / take the next exit
    take the second turning / honk / sound the horn / signal left / indicate right / turn on the headlights / high beam
    dip the lights / hazard lights / open the window / close the door / turn on the heating / turn up the radio
    play some music / turn off the air conditioning / fasten your seat belt / check the mirrors
    check the tyre pressure / fill up the tank / charge the battery / start the engine / cut the engine / change gear
    first gear / handbrake / steer towards the kerb / cruise control at fifty / thirty miles an hour / navigate home
    drive me to the airport / take me to work / find a parking space / give way / yield to traffic / mind the gap
    watch out / be careful / drive carefully / drive like a maniac / emergency stop / easy on the pedal
    put your foot down / I cut in front of him / merge into traffic / I want to change lanes / squeeze through the gap
    cut the corner / cross the bridge / cross the junction / cross the line / drive across the square
    cross the border into France / the road ahead is long / the road is straight / the road bends
    the traffic light is red / the light turns green / wait for green / stop at the stop sign
    there is a junction ahead / a roundabout ahead / the speed limit is fifty
    """)
"""What a driver tells a car, and what stands on signs."""

SCENES: tuple[str, ...] = parted("""
    snow / make it snow / let it snow / it is snowing / a blizzard / hail / a hailstorm / ice on the road / black ice
    frost / wind / make it windy / a strong gust of wind / a hurricane / a tornado / lightning strikes / an earthquake
    a volcano erupts / a flood / a landslide / a sandstorm / a heat wave / make it colder / make it warmer / winter
    spring / autumn leaves fall / a rainbow / northern lights / a full moon party / an eclipse of the sun / a comet
    fireworks / aliens land / a dragon appears / dawn / sunrise / the sun rises / early in the morning / a cock crows
    breakfast time / a traffic jam / heavy traffic / an accident / a car crash / a car breaks down / a car is parked
    a parked car / a red car / a slow car ahead / a car turns left / the car ahead brakes / a car comes the other way
    a car behind me honks / an oncoming lorry / a police car / an ambulance / a fire engine with blue lights
    a bus stops / a tram / a train passes / a motorbike / a cyclist / a cyclist ahead / a truck / a cow on the road
    a deer crosses the road / a dog runs into the street / a cat / a flock of sheep / a bird flies up / ducks
    a fallen tree / a rock on the road / a flat tyre / an oil spill / a tunnel / a bridge / a river / the sea / a beach
    mountains / a forest / a desert / a jungle / a city / a village / a motorway / a country lane / a car park
    a school / a hospital / a man sits on a bench / people wait at the bus stop / a crowd cheers / a child sleeps
    a woman waves from a window / the traffic lights fail / a stop sign / a speed camera / a petrol station
    a street musician / a market place / a house is on fire / a building collapses / a helicopter
    a plane lands on the road / a balloon / a parade / a marathon / more buildings / more trees / fewer cars
    remove all cars / paint the car blue / make the road wider / a different town
    """)
"""Other weather, other traffic, other places: what somebody may ask for and this world does not know."""

SPOKEN: tuple[str, ...] = parted("""
    hello / hi there / good morning / good night / goodbye / see you tomorrow / thank you / thanks a lot / yes / no
    okay / maybe / sorry / never mind / what? / help / hm / let me think / nice / wow / that was close / well done
    again / undo that / pause / go on / reset / begin again / rewind ten seconds / record a film / stop recording
    save this / quit / exit / show the twin / test / testing one two three / one two three four / blah blah blah / asdf
    qwertz / xyzzy foo bar / lorem ipsum dolor sit amet / la la la / aaaaaaa / ??? / 42 / 3.14159 / a b c / hello world
    the quick brown fox jumps over the lazy dog / I am hungry / I'm tired / I like you / my name is Anna
    I live in Leeds / I lost my keys / call my mother / what's for dinner / it is raining money
    it never rains but it pours, they say / the rain in Spain stays mainly in the plain / singing in the rain
    right as rain / take a rain check / a rain of arrows / my mind is foggy / I haven't the foggiest idea
    lost in the fog of war / brain fog / a fog horn / the night is young, let's dance / night school
    a night at the opera / a good night's sleep / silent night, holy night / the dark side of the moon / a dark secret
    I am in the dark about it / dark chocolate / sunset boulevard / from dusk till dawn is a film / the twilight saga
    evening dress / the evening paper / happy evening to you / clear the table / clear your mind / is that clear?
    crystal clear, thanks / clear the screen / a sunny disposition / you are my sunshine / sunny side up
    under the weather / cut the cake / cut the grass / cut it out / cut to the chase / cut me a slice / a paper cut
    he cuts hair / cut costs / cut the rope / cross your fingers / cross my heart / don't be cross / a crossword puzzle
    a pedestrian style of writing / cross out that word / hard work pays off / it works / does it work? / work from home
    the construction of the sentence / under construction is the web site / an ice cream cone / home works / road trip
    a road movie / hit the road / the road to success / all roads lead to Rome / the car of my dreams / a car salesman
    buy a new car / sell the car / wash the car / my car is old / a toy car / insurance for the car
    rent a car in Italy / the stock market fell / she plays the piano / water boils at a hundred degrees
    Paris is the capital of France / the cat sleeps on the sofa / he reads a newspaper / the meeting is at three
    send an email to Peter / book a table for two / add milk to the shopping list / set a timer for five minutes
    translate this into German / what is two plus two / tell me a joke / read me a story / who won the match?
    how tall is Everest? / the bill passed in parliament / bonjour, comment ça va / guten Tag / hola amigo
    ich möchte nach Hause / the train was late again / pass me the salt / the children play football in the garden
    grandmother bakes a cake / the film was boring / we went swimming / a cup of tea / the soldier marched
    the photograph is blurred / wear a raincoat / where is my umbrella / sunglasses suit you / a desk lamp
    a work of art / workers of the world, unite / the workers are on strike / a walk in the park / walking is healthy
    I walk to school / he runs a company / run the program / run faster / jump / dance / sleep / eat / banana / table
    democracy / photosynthesis / keyboard / Tuesday / purple / seventeen / love / nothing / everything
    something happens / do something / make something happen / surprise me / change the world / another one / more
    less / faster / bigger / louder / higher
    """)
"""Talk, turns of speech and other wishes."""

MORE: tuple[str, ...] = parted("""
    please turn to the left / drive a bit faster / hit the brakes / hurry up / take it easy / change to the right lane
    pull up at the kerb / go home / avoid that truck / don't let it become night / please no sunset
    I do not want any fog / don't you dare make it rain / let's not have rain / no cut in please / no one should cut in
    do not let pedestrians cross / I don't want road works / let there be no cones / don't make it clear
    not raining please, keep the fog / stop people crossing / does it often rain here / has it been foggy
    how dark is the night / when is dusk / what does a sunset look like / is there a pedestrian
    are there cones on the road / who is cutting in / why is the lane closed / will it be sunny tomorrow
    what's the visibility / make it snow heavily / let hail fall / a strong wind blows / lightning and nothing else
    a meteor shower / a cow walks on the road / a squirrel crosses / a bicycle ahead / a parked van / a big traffic jam
    the car ahead stops / a car overtakes me on the left and drives away / a rock falls / a bridge collapses
    the engine fails / green light / a bus at the stop / morning comes / dawn breaks / make it winter / more traffic
    more people on the pavement / an ambulance with siren / how are you / tell me about yourself
    nice weather we had last summer in Rome / order a pizza / what is the meaning of life
    I love the smell of rain on my roses / my brain is foggy today / night owl / he worked all night / a dark horse
    clear as mud / cut my hair / cross the t / working hard or hardly working / my roof is leaking
    sunset at the beach bar with friends was great / she is a ray of sunshine / the fog machine at the club / umbrella
    a raincoat for my dog / construction paper / the walking dead / a pedestrian city centre / lane / road / car
    sun moon and stars / the driver is tired / the weather / weather / time / pedestrians and cyclists share this path
    workers got a pay rise / barrier reef / pick up the phone / open the pod bay doors / zzz / 12345 / hjkl / oui
    nein danke / buenas noches / I think therefore I am / the mayor opened the new library / football match tonight
    grandma crossed the ocean in 1920 / he cut me a deal / close the window / close the road map / a car show in Geneva
    my car is in the garage for repairs / a fast car / cats and dogs / bucket list / can you swim / play rain sounds
    play the song purple rain / turn on the lights / turn off the lights in the kitchen / less traffic / more lights
    more sugar / give me a beer / give me a break / I'd like a coffee / I'd like a new car / can we have music?
    can we have a break? / let the dog out / let it be / let it go / let there be peace / let's go / let's eat
    let me out / make me a sandwich / make it louder / make it bigger / make it stop / make it snow tonight
    make it blue / make a left / make way / bring me the newspaper / bring snow / send an ambulance / send a taxi
    send help / put on some music / put the kettle on / put a tree there / put a cow on the road
    put the car in the garage / add salt / add a house / add a bus stop / add a cyclist / add snow / turn it off
    turn it up / turn on the television / turn off the engine / turn the page / turn the wheel / switch to manual
    switch to second gear / switch seats / show me the map / show me the menu / show me the speed
    show me a picture of a cat / I want to go home / I want snow / I want a faster car / I want to sleep
    how about pizza / how about a drink / what about the dog / what if it snowed? / what if I crash?
    could you drive faster? / could you open the window? / can you snow? / let it hail / it is windy / it is cold
    it is hot / it is freezing / it is icy / it is late, let us go home / it is boring / it is Monday
    set the speed to eighty / set the table / set the alarm / weather report / the weather is strange / what weather
    bad luck / climate change / temperature / humidity / thermometer / barometer / atmosphere / season / sky / cloud
    the sky / sun / moon / a star / the stars of the film / light / lights / lamp / traffic lights / street / the road
    my lane / two lanes / a car / cars / the car / the driver / driver / passenger / people / person / a man / a woman
    a child / children / walking / crossing / work / works / construction worker's wages / cone / an ice cream / barrier
    day / evening news / morning / tomorrow / yesterday / noon meeting / summer holidays / winter tyres / windscreen
    wiper / umbrella stand / water / glass of water / wet paint / wet towel / dry cleaning / a dry joke / dry humour
    fog lamp broken / night shift / night watchman / knight in armour / the nightingale sings / tonight we dine out
    last night was fun / yesterday night I slept badly / he worked all night long / she stayed up at night
    we danced till midnight / good evening ladies and gentlemen / every evening he reads
    in the evening we watch television / we watched the sunset from the beach / the sunset was beautiful yesterday
    the sun is a star / the sun is made of hydrogen / sunscreen / sunburn hurts / sunflower seeds / sunday roast
    a sunny personality / sunny beach holiday offer / the weather was nice on our holiday
    it rained all week in Scotland / the rain ruined our picnic / the rainforest is dying / rain boots for kids
    rainwater tank / a rainbow flag / the fog in San Francisco is famous / I read a poem about fog
    the fog cleared in his mind / visibility of the brand on social media / haze is a novel
    the police cleared the street / clear instructions / clearance sale / clear the browser cache / a clear answer
    the coast is clear / clean the windscreen / clean the car / he cut in on our conversation / she cut the ribbon
    the director cut the scene / cut the music / cut the power / the queue is long / he jumped the queue at the bakery
    they merged the two companies / merge the branches / merge the files / lane assist is active / the lane is wide
    the car behind me / the car in front is slow / a car drives past / a car drives by / a car passes me
    a car overtakes / a car waits at the light / a car stops ahead / a car honks / a car turns right
    a car leaves the lane / a car goes the other way / the lorry is red / a taxi is waiting / traffic is light today
    there is a lot of traffic / other drivers are friendly / my brother drives a van / she parked in my space
    the accident happened at noon / a crash ahead / a collision / somebody hits me from behind / tailgating
    a car tailgates me / road rage / a car drives in the wrong direction / a convoy / race against another car
    I overtake the van / I cut him off / let me cut in / I pull out / I change to the fast lane / pedestrian zone
    pedestrian bridge / pedestrian rights / a pedestrian waits on the pavement / people on the pavement
    people stand at the corner / a man waits / a woman sits in a cafe / a cat crosses the road / a dog crosses
    a horse on the road / ducks cross the road / a bear / a fox / a hedgehog / a bicycle crosses / a cyclist crosses
    a train crosses the street / a bike overtakes me / a skateboarder / a statue / a crossroads / crossing the Atlantic
    he crossed the finish line / she crossed her legs / cross-country skiing / the plot crosses genres / walk the dog
    a walk on the beach / I go for a walk / the child sleeps / a child cries / children sing / the woman reads
    the man laughs / a person of interest / missing person / personal data / the road crew of the band
    the road goes on forever / a fork in the road / the road is icy / the road is slippery with ice / the road is empty
    the road narrows / a bumpy road / a toll road / a gravel road / a road sign / a speed bump / a pothole
    the bridge is closed / the shop is closed / the airport is closed / the case is closed / the door is blocked
    my account is blocked / writer's block / block this number / close the app / closed on Sundays
    the building is tall / the house was built in 1900 / build a house / build a snowman / he builds furniture
    repair my bicycle / the washing machine is being repaired / fix the bug / dig a hole in the garden / gardening
    an orange / a fence / dress code / it does not work / a worker bee / the work is done / working late
    working from home is nice / at work / team work / homework / a frame of wood / network / artwork
    fireworks over the town / remove the car / remove the pedestrian / remove the people / remove the houses
    remove this / take it away / stop it / stop that / stop the traffic / stop the film / stop the night / end the night
    end the drive / end of story / finish / stop the sunset / stop the car from cutting in / stop the roadworks
    finish the roadworks / open the road / open the road again / get rid of the cones / get rid of that car
    get rid of the pedestrian / get that man off the road / less rain / less fog / a little less dark / lighter / darker
    warmer / drier hair / slower / quicker / nearer / farther / that's enough / enough is enough / not that / not now
    no thanks / no way / no idea / no problem / no entry / no parking / no overtaking / no U-turn / no speed limit
    none of your business / I don't know / I don't care / I don't understand / I can't hear you / I can't drive
    I can't stop / don't stop / don't worry / don't brake / don't crash / don't drive so fast / don't turn
    don't do that / never say never / nobody knows / nobody is here / the economy is slowing / prices are falling
    temperatures are falling / the leaves are falling / London Bridge is falling down / night vision goggles
    dark mode in the settings / the screen is dark / the screen is too bright / brightness / contrast / resolution
    frame rate / volume / mute / full screen / the picture is blurred / the picture is grey / the image is noisy
    it looks strange / I see nothing / I see a house / I see a red roof / there is a tree / look at that house
    what a nice town / this town is ugly / where do these roads lead / who lives here / left / right / straight
    forward / backward / up / down / north / go / halt / fast / slow / again please / one more time / next / previous
    next town / new world / load another town / restart / start / menu / settings / options / language / login
    password / click here / subscribe / like and share / buy now / add to cart / Shakespeare wrote Hamlet
    the moon orbits the earth / the earth is round / seven times eight / the square root of nine / gold is expensive
    my tooth aches / the baby is asleep / the milk is sour / the phone rings / the door bell / he plays chess
    we won the game / the concert was sold out / the museum opens at ten / the plane is delayed / pack your bags
    the hotel has a pool / a room with a view / the soup is hot / bake a cake / boil an egg / recipe for pancakes
    a glass of wine / feed the cat / the dog barks / bees make honey / the river flows / the ship sails / she sings well
    he paints the wall / the teacher explains / the exam is hard / I study physics / a chemical reaction
    the patient recovers / the doctor is in / take two pills / the president speaks / the election is over
    the law was changed / taxes are due / the bank is closed today / open a bank account / transfer ten pounds
    what is the time in Tokyo / write a letter / call a taxi to the station / print the page / the printer is jammed
    restart the computer / install the update / my code does not compile / merge conflict
    """)
"""More of all kinds, many of them one word or one verb away from an event."""

FIGURES: tuple[str, ...] = parted("""
    it's pouring with applicants / when it rains, money falls / rain or shine we deliver / a rain of criticism
    rain dance class / the rain man / a foggy excuse / fogged glasses / his future is hazy / hazy recollections
    the mists of history / mist spray for the hair / night after night he wrote / night nurse / night club
    overnight delivery / an overnight success / midnight snack / midnight in Paris, the film / a knight's tale
    black market / blackout drunk / dark humour / dark matter physics / in the dark web / afraid of the dark
    a leap in the dark / starry-eyed lovers / star wars / movie star / evening class / evening gown / twilight years
    the sun newspaper / ride into the sunset, cowboy / golden opportunity / the golden age of radio
    horizon 2030 strategy / a bright idea / a bright student / a clear conscience / clear the air between them
    in the clear / clear cut decision / clear profit / blue sky thinking / out of the blue / cloud computing
    cloud storage / on cloud nine / fair enough / fair play / fine, thanks / dry run / dry wine / dry cough
    high and dry / summer sale / cut and paste / a short cut / cut loose / cut back on coffee / cut him some slack
    power cut / tax cut / final cut / clear cut / he cut me short / cut off the crusts / merge the cells
    lane in the bowling alley / drive a nail in / drive up the price / driving force / back seat driver / hard drive
    cars and trucks are toys / cross examination / cross with me / crossed wires / cross country / crosses and circles
    the red cross / walk of fame / walk on water / walk through the list / run for office / runner up
    step up your game / step by step / people skills / people person / street food / street smart / road map for peace
    road show / roadworthy / road block in the talks / one for the road / middle road / nuts and bolts at work
    nice work / works council / work out / work of fiction / the works department budget / construction of an argument
    constructive criticism / building trust / building blocks / close call / closed minds / close the deal / close to me
    block buster / block chain / barrier to entry / language barrier / sound barrier / dig deep
    dig in, dinner is ready / repair a friendship / fix me a drink / patch it up / lay the table / lay off
    turn off the lights in the hall / turn off the lamp / turn off the tap / lights off in the bedroom
    switch off the lights / put out the candle / water the lawn / pour the tea / pour some milk / a cold shower
    shower curtain / bridal shower / soak in the bath / wet the brush / drip coffee / drizzle with honey
    storm out of the room / brainstorm / a storm in a teacup / perfect storm of problems / take by storm / weather app
    weatherman / weather vane / weathered wood / under the sun / sun cream / sun lounger / sunglasses
    """)
"""Turns of speech and compounds that hold an event's words and mean none of it."""

UNRELATED: tuple[str, ...] = tuple(dict.fromkeys(REFUSED + ASKED + DRIVING + SCENES + SPOKEN + MORE + FIGURES))
"""All of them."""
